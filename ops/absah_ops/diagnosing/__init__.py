"""What `absah doctor` looks at, a module for each noun. Nothing here changes anything."""
