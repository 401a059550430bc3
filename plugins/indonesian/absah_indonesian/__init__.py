"""What plugins share of the Indonesian language: dates, spelling, and what readers confuse."""
