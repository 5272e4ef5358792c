//! Names, quoted so that they can be nothing else.

use crate::statement::invalid;
use workyard_adapter_kit::Result;

/// What a select is of, or is ordered by: a name, or SQL by [`raw`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Name(String),
    Raw(String),
}

/// SQL where a name is expected: `raw("COUNT(*) AS visits")`. Never put values into it.
#[must_use]
pub fn raw(sql: impl Into<String>) -> Column {
    Column(Kind::Raw(sql.into()))
}

impl Column {
    pub(super) fn sql(&self) -> Result<String> {
        match &self.0 {
            Kind::Name(name) => quoted(name),
            Kind::Raw(sql) => Ok(sql.clone()),
        }
    }
}

impl From<&str> for Column {
    fn from(name: &str) -> Self {
        Self(Kind::Name(name.to_owned()))
    }
}

impl From<String> for Column {
    fn from(name: String) -> Self {
        Self(Kind::Name(name))
    }
}

/// The names with commas between them.
pub(super) fn list(columns: &[Column]) -> Result<String> {
    let columns: Result<Vec<String>> = columns.iter().map(Column::sql).collect();
    Ok(columns?.join(", "))
}

/// A name with its parts quoted: `` `shop`.`users` AS `u` ``.
pub(super) fn quoted(name: &str) -> Result<String> {
    let words: Vec<&str> = name.split_ascii_whitespace().collect();
    match words.as_slice() {
        [name, word, alias] if word.eq_ignore_ascii_case("as") => {
            Ok(format!("{} AS {}", path(name)?, part(alias)?))
        }
        _ => path(name),
    }
}

/// Parts with dots between them; the last may be a star.
fn path(name: &str) -> Result<String> {
    let (before, last) = match name.rsplit_once('.') {
        Some((before, last)) => (Some(before), last),
        None => (None, name),
    };
    let mut parts: Vec<String> = Vec::new();
    for before in before.iter().flat_map(|before| before.split('.')) {
        parts.push(part(before)?);
    }
    parts.push(if last == "*" { "*".to_owned() } else { part(last)? });
    Ok(parts.join("."))
}

/// One part. A backtick within is doubled, which is the only way out of a quoted name.
fn part(name: &str) -> Result<String> {
    if name.is_empty() || name.contains('\0') || name.ends_with(' ') {
        return Err(invalid(format!("{name:?} is no name; for SQL there is `raw`")));
    }
    Ok(format!("`{}`", name.replace('`', "``")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_quoted_part_by_part() {
        let cases = [
            ("id", "`id`"),
            ("users.id", "`users`.`id`"),
            ("shop.users.id", "`shop`.`users`.`id`"),
            ("*", "*"),
            ("users.*", "`users`.*"),
            ("price AS cost", "`price` AS `cost`"),
            ("u.price as cost", "`u`.`price` AS `cost`"),
            ("two words", "`two words`"),
            ("größe", "`größe`"),
            ("a`b", "`a``b`"),
            ("x` FROM secrets; --", "`x`` FROM secrets; --`"),
            ("COUNT(*)", "`COUNT(*)`"),
            ("a AS b`c", "`a` AS `b``c`"),
        ];
        for (name, expected) in cases {
            assert_eq!(quoted(name).unwrap(), expected, "{name}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for name in ["", ".", "a.", ".a", "a..b", "a\0b", "a "] {
            assert!(quoted(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn raw_sql_stays_as_it_is() {
        assert_eq!(raw("COUNT(*) AS n").sql().unwrap(), "COUNT(*) AS n");
        let columns = ["id".into(), raw("MAX(age)"), "name".to_owned().into()];
        assert_eq!(list(&columns).unwrap(), "`id`, MAX(age), `name`");
    }
}
