//! Cancel, progress and clock: what long work needs, and the only home of "now" and of sleeping.

mod cancel;
mod clock;
mod progress;

pub use cancel::Cancel;
pub use clock::Clock;
pub use progress::{Progress, ProgressView};
