# A link to the partition that is to be mounted: prepare-disk.sh makes it when the disk is known to be ours.
"/run/rk1/storage"
