"""Train and export the model that finds people, organisations and places in Indonesian text."""
