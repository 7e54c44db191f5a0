//! The steps of a flash, as text.

use super::boards::Boards;
use super::prepare::Prepared;
use super::screen::human;
use super::target::Target;
use crate::provision::flash::steps::Job;

pub(super) fn text(
    target: &Target<'_>,
    prepared: &Prepared,
    job: &Job,
    boards: &Boards<'_>,
    wait: u64,
) -> String {
    let (name, board, bmc) = (target.name(), &target.board.name, target.bmc());
    let (number, index, request) = (target.slot().number(), target.slot().index(), &job.request);
    let certificate = match boards.pinned(target) {
        Some(pinned) => format!("take no certificate but {pinned}"),
        None => "note its certificate in bmc.pins: it has not been seen before".to_owned(),
    };
    let password = match &target.board.password {
        Some(secret) => format!("the secret `{}`", secret.as_str()),
        None => "$RK1_BMC_PASSWORD, or what is typed".to_owned(),
    };
    let running = if job.take_over { "one that runs is cancelled" } else { "if one runs, end here" };
    let secrets = prepared.secrets.join(", ");
    let wait = if wait == 0 {
        "end here".to_owned()
    } else {
        format!("wait up to {wait} s for ssh at {}", target.address())
    };
    let steps = [
        format!("take {} and, in memory, put into it {secrets}", target.image.display()),
        format!("connect to the BMC at {bmc}: {certificate}"),
        format!("log in as `{}`, once, with {password}", target.board.user),
        format!(
            "ask before overwriting, if it is ready in the cluster or ssh answers at {}",
            target.address()
        ),
        format!("see what transfer runs: GET /api/bmc?opt=get&type=flash ({running})"),
        "see how USB is wired, to have it back: GET /api/bmc?opt=get&type=usb".to_owned(),
        format!(
            "start, the node goes off: GET /api/bmc?opt=set&type=flash&node={index}&file={}&length={}&sha256={}",
            request.file, request.length, request.sha256
        ),
        format!("send {}: POST /api/bmc/upload/HANDLE", human(request.length)),
        format!(
            "follow it until it is written and read back, {} s without progress are too long: \
             GET /api/bmc?opt=get&type=flash",
            job.stall.as_secs()
        ),
        format!("power on: GET /api/bmc?opt=set&type=power&node{number}=1"),
        wait,
    ];
    let lines = (1..).zip(&steps).map(|(number, step)| format!("{number:>4}. {step}"));
    let lines: Vec<_> =
        [format!("{name}, slot {number} of board `{board}`:")].into_iter().chain(lines).collect();
    lines.join("\n") + "\n"
}
