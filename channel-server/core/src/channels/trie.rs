//! Patterns as a tree of tokens: finding those that match a name without looking at the others.

use hashbrown::{DefaultHashBuilder, HashTable};
use slab::Slab;
use smallvec::SmallVec;
use std::hash::BuildHasher;
use workyard_protocol::{Pattern, Token};

const ROOT: u32 = 0;

/// Above this many nodes, a tree that has become empty gives its memory back.
const KEPT_NODES_MAX: usize = 4096;

/// A tree in which every step from the root is one token of a pattern.
///
/// Nothing here recurses, and the tree is no deeper than a pattern may have tokens.
#[derive(Debug)]
pub(crate) struct Trie {
    nodes: Slab<Node>,
    /// Finds a node by its parent and its literal token.
    literals: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

#[derive(Debug, Default)]
struct Node {
    parent: u32,
    /// The literal token that leads here; unused below `*`.
    token: Box<[u8]>,
    /// How many nodes have this one as their parent.
    children: u32,
    /// The child behind `*`.
    any: Option<u32>,
    /// The pattern that ends here.
    exact: Option<u32>,
    /// The pattern that ends here with `>`.
    rest: Option<u32>,
}

/// A node still to be visited, and the tokens of the name that are left there.
type Visit<'a> = (u32, Option<&'a [u8]>);

impl Trie {
    /// A tree without patterns.
    pub(crate) fn new() -> Self {
        let mut nodes = Slab::new();
        nodes.insert(Node::default());
        Self { nodes, literals: HashTable::new(), hasher: DefaultHashBuilder::default() }
    }

    /// Adds a pattern that is not in the tree, as the number that [`Trie::matching`] reports.
    pub(crate) fn insert(&mut self, pattern: Pattern<'_>, number: u32) {
        let mut at = ROOT;
        for token in pattern.tokens() {
            at = match token {
                Token::Any => self.any_or_new(at),
                Token::Rest => {
                    self.node_mut(at).rest = Some(number);
                    return;
                }
                Token::Literal(token) => self.literal_or_new(at, token),
            };
        }
        self.node_mut(at).exact = Some(number);
    }

    /// Takes a pattern out, and every node that it alone needed.
    pub(crate) fn remove(&mut self, pattern: Pattern<'_>) {
        const KNOWN: &str = "a pattern is removed after it was inserted";
        let mut at = ROOT;
        for token in pattern.tokens() {
            at = match token {
                Token::Any => self.node(at).any.expect(KNOWN),
                Token::Rest => {
                    self.node_mut(at).rest = None;
                    return self.prune(at);
                }
                Token::Literal(token) => self.literal(at, token).expect(KNOWN),
            };
        }
        self.node_mut(at).exact = None;
        self.prune(at);
    }

    /// Reports every pattern that matches a name: literal tokens before wildcards.
    pub(crate) fn matching(&self, name: &[u8], mut report: impl FnMut(u32)) {
        let mut ahead: SmallVec<[Visit<'_>; 8]> = SmallVec::new();
        ahead.push((ROOT, Some(name)));
        while let Some((at, left)) = ahead.pop() {
            let node = self.node(at);
            let Some(left) = left else {
                node.exact.into_iter().for_each(&mut report);
                continue;
            };
            node.rest.into_iter().for_each(&mut report);
            if node.children > 0 {
                let (token, left) = split_token(left);
                ahead.extend(node.any.map(|any| (any, left)));
                ahead.extend(self.literal(at, token).map(|literal| (literal, left)));
            }
        }
    }

    fn literal(&self, parent: u32, token: &[u8]) -> Option<u32> {
        let hash = self.hasher.hash_one((parent, token));
        let is_child = |at: &u32| {
            let node = self.node(*at);
            node.parent == parent && *node.token == *token
        };
        self.literals.find(hash, is_child).copied()
    }

    fn literal_or_new(&mut self, parent: u32, token: &[u8]) -> u32 {
        if let Some(known) = self.literal(parent, token) {
            return known;
        }
        let child = self.add_child(parent, token);
        let hash = self.hasher.hash_one((parent, token));
        let (nodes, hasher) = (&self.nodes, &self.hasher);
        self.literals.insert_unique(hash, child, |at| nodes[*at as usize].hash(hasher));
        child
    }

    fn any_or_new(&mut self, parent: u32) -> u32 {
        if let Some(known) = self.node(parent).any {
            return known;
        }
        let child = self.add_child(parent, b"");
        self.node_mut(parent).any = Some(child);
        child
    }

    fn add_child(&mut self, parent: u32, token: &[u8]) -> u32 {
        let at = self.nodes.insert(Node { parent, token: token.into(), ..Node::default() });
        self.node_mut(parent).children += 1;
        u32::try_from(at).expect("limits keep the tree below four thousand million nodes")
    }

    /// Removes a node that nothing needs, and then its parent if nothing else needed that.
    fn prune(&mut self, mut at: u32) {
        while at != ROOT && self.node(at).is_unused() {
            let node = self.nodes.remove(at as usize);
            let parent = self.node_mut(node.parent);
            parent.children -= 1;
            if parent.any == Some(at) {
                parent.any = None;
            } else {
                self.literals
                    .find_entry(node.hash(&self.hasher), |other| *other == at)
                    .expect("a node is behind `*` or found by its token")
                    .remove();
            }
            at = node.parent;
        }
        if self.nodes.len() == 1 && self.nodes.capacity() > KEPT_NODES_MAX {
            *self = Self::new();
        }
    }

    fn node(&self, at: u32) -> &Node {
        &self.nodes[at as usize]
    }

    fn node_mut(&mut self, at: u32) -> &mut Node {
        &mut self.nodes[at as usize]
    }
}

impl Node {
    fn is_unused(&self) -> bool {
        self.children == 0 && self.exact.is_none() && self.rest.is_none()
    }

    fn hash(&self, hasher: &DefaultHashBuilder) -> u64 {
        hasher.hash_one((self.parent, &*self.token))
    }
}

/// Cuts the first token off. What is left is nothing, or tokens again, if only an empty one.
fn split_token(name: &[u8]) -> (&[u8], Option<&[u8]>) {
    match name.iter().position(|byte| *byte == b'.') {
        Some(dot) => (&name[..dot], Some(&name[dot + 1..])),
        None => (name, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn matching(trie: &Trie, name: &str) -> Vec<u32> {
        let mut found = Vec::new();
        trie.matching(name.as_bytes(), |number| found.push(number));
        found
    }

    fn trie(patterns: &[&str]) -> Trie {
        let mut trie = Trie::new();
        for (number, pattern) in (0..).zip(patterns) {
            trie.insert(Pattern::new(*pattern).unwrap(), number);
        }
        trie
    }

    #[test]
    fn literal_tokens_are_reported_before_wildcards() {
        let trie = trie(&["a.>", "a.*", "*.b", "a.b", ">", "*.*", "a"]);
        assert_eq!(matching(&trie, "a.b"), [4, 0, 3, 1, 2, 5]);
        assert_eq!(matching(&trie, "a"), [4, 6]);
        assert_eq!(matching(&trie, "a."), [4, 0, 1, 5]);
        assert_eq!(matching(&trie, ""), [4]);
    }

    #[test]
    fn nodes_go_with_the_last_pattern_that_needs_them() {
        let patterns = ["a.b.c", "a.*.c", "a.b", "a.b.>", ">", "*"];
        let mut trie = trie(&patterns);
        for pattern in patterns {
            trie.remove(Pattern::new(pattern).unwrap());
        }
        assert_eq!((trie.nodes.len(), trie.literals.len()), (1, 0));
    }

    #[test]
    fn a_name_may_have_more_tokens_than_any_pattern() {
        let name = ".".repeat(4096);
        assert_eq!(matching(&trie(&["*.*", ".>", "*"]), &name), [1]);
    }

    proptest! {
        #[test]
        fn the_same_patterns_match_as_one_by_one(
            patterns in prop::collection::btree_set("([ab*]?\\.){0,3}[ab*>]?", 0..20),
            gone in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
            name in "([abc]?\\.){0,4}[abc]?",
        ) {
            let mut patterns: Vec<String> = patterns.into_iter().collect();
            let texts: Vec<&str> = patterns.iter().map(String::as_str).collect();
            let mut trie = trie(&texts);
            let numbers: Vec<u32> = (0..).take(patterns.len()).collect();
            let mut left: BTreeSet<u32> = numbers.iter().copied().collect();
            for index in gone {
                if !numbers.is_empty() && left.remove(index.get(&numbers)) {
                    let text = &patterns[*index.get(&numbers) as usize];
                    trie.remove(Pattern::new(text).unwrap());
                }
            }
            let expected: BTreeSet<u32> = left
                .iter()
                .copied()
                .filter(|at| Pattern::new(&patterns[*at as usize]).unwrap().matches(name.as_bytes()))
                .collect();
            let found = matching(&trie, &name);
            prop_assert_eq!(found.len(), expected.len());
            prop_assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected);
            for at in left {
                trie.remove(Pattern::new(&std::mem::take(&mut patterns[at as usize])).unwrap());
            }
            prop_assert_eq!((trie.nodes.len(), trie.literals.len()), (1, 0));
        }
    }
}
