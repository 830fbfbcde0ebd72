"""What earned money, and what it cost: figures over a period, told as tables, CSV and charts. Reads the store alone."""
