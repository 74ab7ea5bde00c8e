"""How a source looks: paid for, one look at a time, remembered over a restart, told as it begins and ends."""
