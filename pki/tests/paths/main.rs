//! Path validation: chains made in code, one defect each for every rule, and the same chains and
//! many mutated ones judged by `openssl verify`, with every class of disagreement explained.

mod budget;
mod cards;
mod cases;
mod chain;
mod disagreement;
mod lists;
mod openssl;
mod policies;
mod pss;
mod rules;
