//! `[[board]]`: the Turing Pi 2 boards.

use super::leaf::Text;
use super::shape::Required;
use super::table::table;

table! {
    /// A Turing Pi 2 board.
    pub struct Board {
        /// Name of the board, to which the `board` of a node refers.
        "name" name: Required<Text> = "turing-pi",
        /// Address of the board's management controller (BMC).
        "bmc" bmc: Required<Text> = "172.16.10.220",
        /// User of the BMC that `rk1 flash` logs in as. [default: root]
        "user" user: Option<Text> = "root",
        /// Name of the secret that holds the user's password. [default: `$RK1_BMC_PASSWORD`, or `rk1 flash` asks for it]
        "password" password: Option<Text> = "bmc-password",
    }
}
