//! Paths that are only computed, and methods of the user's own with the names of files.
use std::path::{Path, PathBuf};

use durable_runtime::prelude::*;

struct Book {
    pages: Vec<String>,
}

impl Book {
    fn open(name: &str) -> Self {
        Self {
            pages: vec![name.to_owned()],
        }
    }

    fn read(&self) -> usize {
        self.pages.len()
    }

    fn exists(&self) -> bool {
        true
    }
}

#[orchestrator]
async fn name(_ctx: OrchestrationContext, folder: PathBuf) -> Result<PathBuf> {
    let path = folder.join("report").with_extension("txt");
    let name = Path::new(&path).file_name().unwrap_or_default();
    let book = Book::open("report");
    assert!(book.exists() && book.read() == 1);
    Ok(PathBuf::from(name))
}

fn main() {}
