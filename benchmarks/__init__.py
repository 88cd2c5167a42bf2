"""What the claims about speed are measured with: every figure beside a baseline of the same run."""
