//! The one table of what a person can ask for inside the program. Keymap, help, hint line and
//! palette are made of it.
