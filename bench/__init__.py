"""How fast it is: ratios within one run, so that they hold on any machine."""
