//! What a process has once of each type.

use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// Values by their type.
#[derive(Default)]
pub(super) struct Resources(RefCell<HashMap<TypeId, Rc<dyn Any>>>);

impl Resources {
    /// Keeps a value in place of the one of its type, if there is one.
    pub(super) fn provide<T: 'static>(&self, value: T) -> Rc<T> {
        let value = Rc::new(value);
        self.0.borrow_mut().insert(TypeId::of::<T>(), Rc::clone(&value) as Rc<dyn Any>);
        value
    }

    pub(super) fn find<T: 'static>(&self) -> Option<Rc<T>> {
        let value = self.0.borrow().get(&TypeId::of::<T>()).cloned()?;
        value.downcast().ok()
    }
}
