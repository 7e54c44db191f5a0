# What a node does by itself when it hangs, panics or cannot boot: nobody sits in front of it.
{
  config,
  lib,
  options,
  ...
}:
let
  # A kernel that `rk1-guard reboot` starts by kexec has this time to take over the watchdog.
  kexecLimit = "2min";
in
{
  config = {
    # The kernel resets the board when systemd stops answering. NixOS is replacing one option by the other.
    systemd =
      (
        if options.systemd ? settings then
          {
            settings.Manager = {
              RuntimeWatchdogSec = lib.mkDefault "30s";
              KExecWatchdogSec = lib.mkDefault kexecLimit;
            };
          }
        else
          {
            watchdog = {
              runtimeTime = lib.mkDefault "30s";
              kexecTime = lib.mkDefault kexecLimit;
            };
          }
      )
      // {
        # Root has no password, so nobody could log in to the emergency shell: the boot goes on to ssh instead.
        enableEmergencyMode = lib.mkDefault false;
      };

    # From the first second on: the kubelet sets `kernel.panic` only when it runs.
    boot.kernelParams = [ "panic=10" ];

    # The same shell in the initrd would wait forever. A root disk that is slow to appear gets another chance this way.
    boot.initrd.systemd.services.emergency =
      lib.mkIf (config.boot.initrd.systemd.emergencyAccess == false)
        {
          serviceConfig = {
            ExecStartPre = [
              ""
              "/bin/sleep 30"
            ];
            ExecStart = [
              ""
              "/bin/systemctl --force --force reboot"
            ];
          };
        };
  };
}
