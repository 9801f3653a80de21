/// In the memory of this process.
#[derive(Debug, Clone, Default)]
pub struct Memory {}
