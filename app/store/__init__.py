"""Where finished traces lie."""
