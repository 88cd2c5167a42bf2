"""The badge before judges that are not ours."""
