//! Writes the drawn seeds where cargo-fuzz looks for them: `fuzz/corpus/TARGET/`.
#![allow(clippy::unwrap_used, reason = "a tool of those who fuzz, who read its panics")]

use std::fs;
use std::path::Path;

fn main() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for target in medley_fuzz::TARGETS {
        let folder = corpus.join(target.name);
        fs::create_dir_all(&folder).unwrap();
        let seeds = medley_fuzz::seeds::drawn(target.name);
        for seed in &seeds {
            fs::write(folder.join(&seed.name), &seed.bytes).unwrap();
        }
        println!("{}: {} seeds", folder.display(), seeds.len());
    }
}
