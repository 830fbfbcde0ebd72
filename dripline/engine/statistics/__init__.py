"""How sure a figure is: intervals, differences, and how many it takes to know. Pure, and without a library."""
