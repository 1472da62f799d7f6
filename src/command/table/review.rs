//! The Review screen's commands.

use super::rows;

rows! {}
