//! Runs one hot path so many times: `workyard-paths PATH COUNT`. Without arguments it names the paths, one a
//! line.
//!
//! What is done before the first time, and to start the program, is the same for every count: the difference
//! of two runs is that of the path alone. A path goes from the bytes of a request to those of all that comes
//! of it, without sockets.

#![expect(clippy::print_stdout, reason = "it is a program that prints")]

mod channel;
mod driver;
mod globaldata;
mod php;

use anyhow::{Context, Result, bail};

/// What is done once each time.
type Step = Box<dyn FnMut()>;

/// A path by its name, and how it is made ready.
#[derive(Clone, Copy)]
struct Path {
    name: &'static str,
    prepare: fn() -> Step,
}

/// How often a path is walked before it counts, so that tables have grown.
const WARM_UP: u32 = 200;

fn paths() -> Vec<Path> {
    [channel::PATHS, globaldata::PATHS, php::PATHS].concat()
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let Some(name) = arguments.next() else {
        paths().iter().for_each(|path| println!("{}", path.name));
        return Ok(());
    };
    let count = arguments.next().context("how many times is missing: PATH COUNT")?;
    let count: u32 = count.parse().with_context(|| format!("{count:?} is no count"))?;
    let Some(path) = paths().into_iter().find(|path| path.name == name) else {
        bail!("there is no path {name:?}; without arguments all are named");
    };
    let mut step = (path.prepare)();
    (0..WARM_UP).for_each(|_| step());
    (0..count).for_each(|_| step());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_path_can_be_walked_and_has_a_name_of_its_own() {
        let paths = paths();
        let names: HashSet<_> = paths.iter().map(|path| path.name).collect();
        assert_eq!(names.len(), paths.len());
        for path in paths {
            let mut step = (path.prepare)();
            (0..10).for_each(|_| step());
        }
    }
}
