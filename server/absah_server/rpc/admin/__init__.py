"""AdminService: what operators do to a running server, a module for each noun."""
