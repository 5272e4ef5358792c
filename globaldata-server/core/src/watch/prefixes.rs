//! Something for each of some prefixes, in a tree that a key is followed down.

use slab::Slab;

/// Where the tree begins: the name without bytes.
const ROOT: usize = 0;

/// Those that a key begins with lie on one way down, which takes as many steps as the key has bytes at
/// most, whatever else is in the tree.
pub(super) struct Prefixes<T> {
    /// None without a name, so that the many that are empty take nothing.
    nodes: Slab<Node<T>>,
    count: usize,
}

/// A name, or where several part: but for the root, a node has something or two nodes below it.
struct Node<T> {
    /// What its name has more than that of the node above.
    label: Box<[u8]>,
    what: Option<T>,
    /// Those below by the first bytes of their labels, sorted.
    below: Vec<(u8, usize)>,
}

impl<T> Default for Prefixes<T> {
    fn default() -> Self {
        Self { nodes: Slab::new(), count: 0 }
    }
}

impl<T> Prefixes<T> {
    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn get_mut(&mut self, name: &[u8]) -> Option<&mut T> {
        let (_, at) = self.find(name)?;
        self.nodes[at].what.as_mut()
    }

    /// Puts something in the place of a name, and returns what was there.
    pub(super) fn insert(&mut self, name: &[u8], what: T) -> Option<T> {
        if self.nodes.is_empty() {
            self.nodes.insert(Node::new(name[..0].into()));
        }
        let (mut at, mut rest) = (ROOT, name);
        while let Some(&first) = rest.first() {
            (at, rest) = match self.nodes[at].place_below(first) {
                Ok(place) => {
                    let (_, next) = self.nodes[at].below[place];
                    let shared = common(&self.nodes[next].label, rest);
                    self.split(next, shared);
                    (next, &rest[shared..])
                }
                Err(place) => {
                    let leaf = self.nodes.insert(Node::new(rest.into()));
                    self.nodes[at].below.insert(place, (first, leaf));
                    (leaf, &rest[..0])
                }
            };
        }
        let before = self.nodes[at].what.replace(what);
        self.count += usize::from(before.is_none());
        before
    }

    pub(super) fn remove(&mut self, name: &[u8]) -> Option<T> {
        let (above, at) = self.find(name)?;
        let what = self.nodes[at].what.take()?;
        self.count -= 1;
        if self.count == 0 {
            *self = Self::default();
        } else if at != ROOT && self.nodes[at].below.is_empty() {
            let node = self.nodes.remove(at);
            let place = self.nodes[above].place_below(node.label[0]).expect("it was below");
            self.nodes[above].below.remove(place);
            self.join(above);
        } else {
            self.join(at);
        }
        Some(what)
    }

    /// Shows what belongs to those that a key begins with, the shortest first.
    pub(super) fn covering(&self, key: &[u8], mut show: impl FnMut(&T)) {
        let mut at = self.nodes.get(ROOT);
        let mut rest = key;
        while let Some(node) = at {
            if let Some(what) = &node.what {
                show(what);
            }
            let Some((next, left)) = self.step(node, rest) else { break };
            (at, rest) = (Some(&self.nodes[next]), left);
        }
    }

    /// All names and what belongs to them, sorted by neither.
    pub(super) fn into_names(mut self) -> Vec<(Box<[u8]>, T)> {
        let mut names = Vec::with_capacity(self.count);
        let mut name = Vec::new();
        // A loop, as names may lie thousands deep. Each with how much of the name at hand is above it.
        let mut open = Vec::from_iter(self.nodes.contains(ROOT).then_some((ROOT, 0)));
        while let Some((at, above)) = open.pop() {
            let node = self.nodes.remove(at);
            name.truncate(above);
            name.extend_from_slice(&node.label);
            names.extend(node.what.map(|what| (name.as_slice().into(), what)));
            open.extend(node.below.into_iter().map(|(_, next)| (next, name.len())));
        }
        names
    }

    /// The node of a name and the one above it, if there is one of this name.
    fn find(&self, name: &[u8]) -> Option<(usize, usize)> {
        let (mut above, mut at, mut rest) = (ROOT, ROOT, name);
        let mut node = self.nodes.get(ROOT)?;
        while !rest.is_empty() {
            let (next, left) = self.step(node, rest)?;
            (above, at, rest, node) = (at, next, left, &self.nodes[next]);
        }
        Some((above, at))
    }

    /// Goes one node further down a name. What of the name is left.
    fn step<'n>(&self, node: &Node<T>, rest: &'n [u8]) -> Option<(usize, &'n [u8])> {
        let place = node.place_below(*rest.first()?).ok()?;
        let (_, next) = node.below[place];
        Some((next, rest.strip_prefix(&*self.nodes[next].label)?))
    }

    /// Makes a node's label end here, by another node below it for what it has more.
    fn split(&mut self, at: usize, length: usize) {
        let node = &mut self.nodes[at];
        if length == node.label.len() {
            return;
        }
        let mut lower = Node::new(node.label[length..].into());
        node.label = node.label[..length].into();
        lower.what = node.what.take();
        lower.below = std::mem::take(&mut node.below);
        let first = lower.label[0];
        let lower = self.nodes.insert(lower);
        self.nodes[at].below.push((first, lower));
    }

    /// Makes one of a node that is nobody's name and the only one below it.
    fn join(&mut self, at: usize) {
        let node = &self.nodes[at];
        let &[(_, lower)] = node.below.as_slice() else { return };
        if at == ROOT || node.what.is_some() {
            return;
        }
        let lower = self.nodes.remove(lower);
        let node = &mut self.nodes[at];
        let label = [&*node.label, &*lower.label].concat().into();
        *node = Node { label, ..lower };
    }
}

impl<T> Node<T> {
    fn new(label: Box<[u8]>) -> Self {
        Self { label, what: None, below: Vec::new() }
    }

    /// Where the node is whose label begins with this byte, or would be.
    fn place_below(&self, first: u8) -> Result<usize, usize> {
        self.below.binary_search_by_key(&first, |(byte, _)| *byte)
    }
}

/// How many bytes both begin with.
fn common(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    impl<T> Prefixes<T> {
        fn check(&self) {
            for (at, node) in &self.nodes {
                let is_needed = at == ROOT || node.what.is_some() || node.below.len() > 1;
                assert!(is_needed, "{:?} is of no use", node.label);
                assert!(node.below.is_sorted());
            }
            let nodes_max = if self.count == 0 { 0 } else { 2 * self.count + 1 };
            assert!(self.nodes.len() <= nodes_max, "{} for {}", self.nodes.len(), self.count);
        }
    }

    fn covering(prefixes: &Prefixes<u32>, key: &[u8]) -> Vec<u32> {
        let mut found = Vec::new();
        prefixes.covering(key, |what| found.push(*what));
        found
    }

    fn name() -> impl Strategy<Value = Vec<u8>> {
        vec(prop::sample::select(b"ab".to_vec()), 0..6)
    }

    proptest! {
        #[test]
        fn it_does_as_a_sorted_map(ops in vec((name(), any::<bool>(), any::<u32>()), 0..60)) {
            let (mut prefixes, mut model) = (Prefixes::default(), BTreeMap::new());
            for (name, is_removal, what) in ops {
                if is_removal {
                    prop_assert_eq!(prefixes.remove(&name), model.remove(&name));
                } else {
                    prop_assert_eq!(prefixes.insert(&name, what), model.insert(name.clone(), what));
                }
                prefixes.check();
                prop_assert_eq!(prefixes.len(), model.len());
                prop_assert_eq!(prefixes.get_mut(&name).copied(), model.get(&name).copied());
                let covers = |(prefix, _): &(&Vec<u8>, &u32)| name.starts_with(prefix);
                let expected: Vec<u32> = model.iter().filter(covers).map(|(_, what)| *what).collect();
                prop_assert_eq!(covering(&prefixes, &name), expected);
            }
            let mut names = prefixes.into_names();
            names.sort_unstable();
            let expected: Vec<_> = model.into_iter().map(|(name, what)| (name.into(), what)).collect();
            prop_assert_eq!(names, expected);
        }
    }

    #[test]
    fn names_of_every_length_are_listed_and_found() {
        let long = [b'a'; 4096];
        let mut prefixes = Prefixes::default();
        for length in 0..=long.len() {
            assert_eq!(prefixes.insert(&long[..length], 7), None);
        }
        assert_eq!(covering(&prefixes, &long).len(), 4097);
        let longest = prefixes.into_names().into_iter().map(|(name, _)| name.len()).max();
        assert_eq!(longest, Some(4096));
    }
}
