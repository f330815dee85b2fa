"""The past that a reading is compared with: instants, closes, the last hour, and their changes."""
