# A link to the partition to mount. prepare-disk.sh creates it once the disk is known to belong to rk1.
"/run/rk1/storage"
