//! What one validation may cost. The certificates come from the other side, which may have made
//! them to be expensive.

use super::error::PathReason;

/// Most certificates taken from the other side, the leaf among them.
pub const MOST_CERTIFICATES: usize = 10;
/// Most authorities between the leaf and an anchor.
pub const MOST_INTERMEDIATES: usize = 6;
/// Signature checks: a path of greatest length needs seven; three are for wrong turns. The
/// slowest (P-384) takes about a quarter of a millisecond.
const SIGNATURES: u32 = 10;
/// Comparisons of names and policies, about 20 ns each.
const COMPARISONS: usize = 50_000;
/// Complete paths tried.
const PATHS: u32 = 32;

/// What is left.
pub(super) struct Budget {
    signatures: u32,
    comparisons: usize,
    paths: u32,
}

impl Budget {
    pub(super) fn new() -> Budget {
        Budget { signatures: SIGNATURES, comparisons: COMPARISONS, paths: PATHS }
    }

    pub(super) fn signature(&mut self) -> Result<(), PathReason> {
        self.signatures = self.signatures.checked_sub(1).ok_or(PathReason::Budget)?;
        Ok(())
    }

    pub(super) fn compare(&mut self, count: usize) -> Result<(), PathReason> {
        self.comparisons = self.comparisons.checked_sub(count).ok_or(PathReason::Budget)?;
        Ok(())
    }

    pub(super) fn path(&mut self) -> Result<(), PathReason> {
        self.paths = self.paths.checked_sub(1).ok_or(PathReason::Budget)?;
        Ok(())
    }
}
