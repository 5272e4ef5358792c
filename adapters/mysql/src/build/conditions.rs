//! What must hold for a row.

use super::Binder;
use super::name::quoted;
use mysql_async::Value;
use workyard_adapter_kit::Result;

/// Conditions in their order.
#[derive(Clone, Debug, Default)]
pub(super) struct Conditions(Vec<(Link, Condition)>);

#[derive(Clone, Copy, Debug)]
enum Link {
    And,
    Or,
}

#[derive(Clone, Debug)]
enum Condition {
    Sql(String),
    Is(String, Value),
    In(String, Vec<Value>),
}

impl Conditions {
    pub(super) fn and(&mut self, sql: String) {
        self.0.push((Link::And, Condition::Sql(sql)));
    }

    pub(super) fn or(&mut self, sql: String) {
        self.0.push((Link::Or, Condition::Sql(sql)));
    }

    pub(super) fn is(&mut self, column: &str, value: Value) {
        self.0.push((Link::And, Condition::Is(column.to_owned(), value)));
    }

    pub(super) fn is_in(&mut self, column: &str, values: Vec<Value>) {
        self.0.push((Link::And, Condition::In(column.to_owned(), values)));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `` WHERE (a) AND (b)``, or nothing. Each stands in brackets, so that none can reach over to the next.
    pub(super) fn write(&self, keyword: &str, sql: &mut String, binder: &mut Binder) -> Result<()> {
        for (place, (link, condition)) in self.0.iter().enumerate() {
            let word = match link {
                _ if place == 0 => keyword,
                Link::And => "AND",
                Link::Or => "OR",
            };
            sql.push_str(&format!(" {word} ({})", condition.sql(binder)?));
        }
        Ok(())
    }
}

impl Condition {
    fn sql(&self, binder: &mut Binder) -> Result<String> {
        Ok(match self {
            Self::Sql(sql) => sql.clone(),
            Self::Is(column, value) => format!("{} <=> {}", quoted(column)?, binder.value(value)),
            Self::In(_, values) if values.is_empty() => "FALSE".to_owned(),
            Self::In(column, values) => {
                let values: Vec<String> = values.iter().map(|it| binder.value(it)).collect();
                format!("{} IN ({})", quoted(column)?, values.join(", "))
            }
        })
    }
}
