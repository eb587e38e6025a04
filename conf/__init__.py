"""The configuration groups, packaged so that the installed command finds them."""
