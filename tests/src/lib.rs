//! Holds nothing: the tests are in the directory `tests`.
