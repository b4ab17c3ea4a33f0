"""Stand-ins: real HTTP servers on loopback that play the outside systems in tests."""
