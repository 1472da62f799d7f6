//! The incidents screen's commands.

use super::rows;

rows! {}
