//! Start: everything lives in the library, where tests can reach it.

fn main() -> std::process::ExitCode {
    tuesday::main()
}
