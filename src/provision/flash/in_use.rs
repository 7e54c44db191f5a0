//! Whether a node is in use, and whether it may be overwritten then.

use tokio::select;

use super::console::{Console, Notice};
use super::error::{FlashError, InUse};
use super::interrupt::Interrupt;
use super::ssh_greeting;
use super::target::Target;

/// Lets a flash go on if the node is not in use, or if the user agrees to overwrite it.
pub(super) async fn confirm_overwrite(
    target: &Target<'_>,
    yes: bool,
    interrupt: &mut Interrupt,
    console: &mut impl Console,
) -> Result<(), FlashError> {
    let found = select! {
        found = find(target, console) => found,
        () = interrupt.wait() => return Err(FlashError::interrupted()),
    };
    let Some(in_use) = found else { return Ok(()) };
    if yes {
        console.show(target.name(), Notice::Overwriting(&in_use));
        return Ok(());
    }
    let confirmed = select! {
        confirmed = console.confirm_overwrite(target.name(), &in_use, target.host.hardware) => confirmed,
        () = interrupt.wait() => return Err(FlashError::interrupted()),
    };
    match confirmed {
        Some(true) => Ok(()),
        Some(false) => Err(FlashError::NotConfirmed),
        None => Err(FlashError::InUse(in_use)),
    }
}

/// Before there is a cluster Kubernetes cannot be asked, and SSH alone decides.
async fn find(target: &Target<'_>, console: &impl Console) -> Option<InUse> {
    let address = target.address();
    let (greets, ready) = tokio::join!(ssh_greeting::greets(address), console.find_ready(target.name()));
    let ready = ready.map(|server| InUse::Ready { server });
    ready.or_else(|| greets.then_some(InUse::Ssh { address }))
}
