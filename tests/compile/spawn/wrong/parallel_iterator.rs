//! Work that is spread over threads.
use durable_runtime::prelude::*;

/// Stands in for the crate.
mod rayon {
    pub mod prelude {
        pub trait IntoParallelIterator: IntoIterator + Sized {
            fn into_par_iter(self) -> Self::IntoIter {
                self.into_iter()
            }
        }

        impl<T> IntoParallelIterator for Vec<T> {}
    }
}

#[orchestrator]
async fn sum(_ctx: OrchestrationContext, numbers: Vec<u64>) -> Result<u64> {
    use rayon::prelude::*;
    Ok(numbers.into_par_iter().sum())
}

fn main() {}
