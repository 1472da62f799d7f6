//! The evals screen's commands.

use super::rows;

rows! {}
