//! Where the configuration and the store are.

use std::path::{Path, PathBuf};

use super::{Environment, FILE};

/// The nearest configuration file from this folder upwards.
pub fn find_upwards(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().map(|folder| folder.join(FILE)).find(|path| path.is_file())
}

/// `tuesday.db` beside the configuration or in the working directory if it is there, else the one in
/// the person's data folder.
pub fn default_store(home: &Path, environment: &Environment) -> PathBuf {
    const NAME: &str = "tuesday.db";
    for folder in [home, &environment.folder] {
        let path = folder.join(NAME);
        if path.exists() {
            return path;
        }
    }
    let data = environment
        .get("XDG_DATA_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| environment.get("HOME").map(|home| Path::new(&home).join(".local/share")))
        .or_else(|| {
            use etcetera::BaseStrategy;
            etcetera::choose_base_strategy().ok().map(|places| places.data_dir())
        });
    match data {
        Some(data) => data.join("tuesday").join(NAME),
        None => home.join(NAME),
    }
}
