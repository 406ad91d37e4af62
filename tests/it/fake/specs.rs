//! Where specifications of the services are kept: they are not part of this project, and tests pass without them.

use std::path::{Path, PathBuf};

/// The folder that has this file.
#[expect(clippy::disallowed_methods, reason = "this place is a matter of the machine that tests run on")]
pub fn folder_with(file: &str) -> Option<PathBuf> {
    if let Some(given) = std::env::var_os("DRILLBOT_SPECS") {
        return Some(PathBuf::from(given));
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let all = here.ancestors().flat_map(|above| [above.join("shared/specs"), above.join("../shared/specs")]);
    all.into_iter().find(|folder| folder.join(file).is_file())
}
