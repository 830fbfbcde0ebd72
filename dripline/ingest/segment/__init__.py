"""What Segment's libraries tell: read by their public spec, said in the workspace's words, kept once."""
