"""What makes the files in mnist_dash/assets/."""
