//! Thousands of seeds pass, every one can be repeated, and what is wrong is found.

mod faulty;
mod planted;
mod seeds;
