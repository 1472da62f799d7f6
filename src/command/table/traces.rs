//! The traces screen's commands.

use super::rows;

rows! {}
