# The guard in a virtual machine, with real generations and a real switch: confirmed, unconfirmed, and after a power
# loss. Each of its states, and each step at which it may be cut, is tested in tests/modules/guard/.
{
  name = "rk1-guard";

  nodes.machine =
    { lib, ... }:
    {
      imports = [ ../../../modules/guard.nix ];
      # Test machines can do neither on their own.
      system.switch.enable = true;
      virtualisation.writableStore = true;
      environment.etc."rk1-system".text = lib.mkDefault "old";
      specialisation.new.configuration.environment.etc."rk1-system".text = "new";
    };

  testScript = ''
    profile = "/nix/var/nix/profiles/system"

    def switch_to_new():
        machine.succeed(
            f"nix-env --profile {profile} --set $(realpath {profile}/specialisation/new)",
            f"{profile}/bin/switch-to-configuration switch",
            "grep new /etc/rk1-system",
        )

    machine.wait_for_unit("multi-user.target")
    machine.succeed(f"nix-env --profile {profile} --set $(realpath /run/current-system)")
    old = machine.succeed(f"realpath {profile}")

    with subtest("unconfirmed, it goes back: what runs and what boots next"):
        machine.succeed("rk1-guard arm 60")
        switch_to_new()
        machine.succeed("systemctl is-active rk1-guard-watch.service")
        machine.wait_until_succeeds("rk1-guard state | grep state=reverted")
        machine.succeed("grep old /etc/rk1-system")
        assert old == machine.succeed(f"realpath {profile}")

    with subtest("the deadline outlives a power loss"):
        machine.succeed("rk1-guard arm 3600", "sync")
        machine.crash()
        machine.start()
        machine.wait_for_unit("multi-user.target")
        machine.succeed("systemctl is-active rk1-guard-watch.service", "rk1-guard revert")
        machine.wait_until_succeeds("rk1-guard state | grep state=reverted")

    with subtest("confirmed, it stays"):
        machine.succeed("rk1-guard arm 60")
        switch_to_new()
        machine.succeed("rk1-guard confirm", "sleep 65", "grep new /etc/rk1-system")
  '';
}
