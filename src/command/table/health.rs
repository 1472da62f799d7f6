//! The health screen's commands.

use super::rows;

rows! {}
