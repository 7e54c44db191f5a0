//! The steps of a flash as text.

use crate::cli::progress::human;
use crate::provision::flash::{Options, Preview, Target};

pub(super) fn text(target: &Target<'_>, preview: &Preview, options: &Options) -> String {
    let (name, board, bmc) = (target.name(), target.board(), target.bmc());
    let (number, index, request) = (target.slot().number(), target.slot().index(), &preview.request);
    let certificate = match preview.pinned {
        Some(pinned) => format!("accept only the certificate {pinned}"),
        None => "pin its certificate in bmc.pins, because this is the first connection".to_owned(),
    };
    let password = match &board.password {
        Some(secret) => format!("the secret `{}`", secret.as_str()),
        None => "$RK1_BMC_PASSWORD, or ask for the password".to_owned(),
    };
    let running = match (options.take_over, options.wait_for_board.as_secs()) {
        (true, _) => "cancel a running transfer".to_owned(),
        (false, 0) => "end here if one is running".to_owned(),
        (false, seconds) => format!("wait up to {seconds} s for the end of a running one"),
    };
    let secrets =
        if preview.secrets.is_empty() { "no secrets".to_owned() } else { preview.secrets.join(", ") };
    let wait = match options.wait.as_secs() {
        0 => "end here".to_owned(),
        seconds => format!("wait up to {seconds} s for SSH at {}", target.address()),
    };
    let steps = [
        format!("read {} and add {secrets} in memory", target.image().display()),
        format!("connect to the BMC at {bmc}: {certificate}"),
        format!("log in as `{}` once, with {password}", board.user),
        format!(
            "ask before overwriting if the node is ready in the cluster or SSH answers at {}",
            target.address()
        ),
        format!("read which transfer is running: GET /api/bmc?opt=get&type=flash ({running})"),
        "read the wiring of USB, to restore it: GET /api/bmc?opt=get&type=usb".to_owned(),
        format!(
            "start, which switches the node off: GET /api/bmc?opt=set&type=flash&node={index}&file={}&length={}&sha256={}",
            request.file, request.length, request.sha256
        ),
        format!("send {}: POST /api/bmc/upload/HANDLE", human(request.length)),
        format!(
            "follow it until it is written and read back, and fail after {} s without progress: GET \
             /api/bmc?opt=get&type=flash",
            options.stall.as_secs()
        ),
        format!("power on: GET /api/bmc?opt=set&type=power&node{number}=1"),
        wait,
    ];
    let title = format!("{name}, slot {number} of board `{}`:\n", board.name);
    (1..).zip(&steps).fold(title, |text, (number, step)| format!("{text}{number:>4}. {step}\n"))
}
