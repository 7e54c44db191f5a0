//! `[[board]]`: the Turing Pi 2 boards.

use super::leaf::Text;
use super::shape::Required;
use super::table::table;

table! {
    /// A Turing Pi 2.
    pub struct Board {
        /// Name by which nodes say where they are.
        "name" name: Required<Text> = "turing-pi",
        /// Address of the board's management controller.
        "bmc" bmc: Required<Text> = "172.16.10.220",
        /// User of the management controller that `rk1 flash` logs in as. Left out: root.
        "user" user: Option<Text> = "root",
        /// Name of the secret that holds the user's password. Left out: `$RK1_BMC_PASSWORD`, or `rk1 flash` asks.
        "password" password: Option<Text> = "bmc-password",
    }
}
