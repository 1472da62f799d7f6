//! File, environment and flags resolved into one checked value.
