let
  name = "a-node-with-the-longest-name-that-a-host-may-have-in-any-domain";
in
{
  ${name} =
    { lib, ... }:
    {
      imports = [ ../../../../hosts/rk1-01.nix ];
      networking.hostName = lib.mkForce name;
      rk1.cluster.nodes = lib.mkForce { ${name} = "172.16.10.221"; };
      rk1.streamer.stream = lib.mkForce "the-streams-of-the-packets-of-the-first-of-our-clusters";
    };
}
