"""The box: runs programs nobody trusts. Light on purpose, for the zygote imports it before it has its limits."""
