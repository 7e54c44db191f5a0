//! cert-manager: `ClusterIssuer`.

use super::{Restated, Table, has};

pub(super) const RULES: Table = &[(
    "(has(self.tpp) ? 1 : 0) + (has(self.cloud) ? 1 : 0) + (has(self.ngts) ? 1 : 0) == 1",
    Restated::Function(|venafi| ["tpp", "cloud", "ngts"].iter().filter(|key| has(venafi, key)).count() == 1),
)];
