"""A configuration file of the old engines, with every section and key that is known of it."""

ENGINES_CONF = """\
; the engines of the course site
[DEFAULT]
base = /mnt/engines

[engine]
working_root_dir: %(base)s/work
production_holding_area = %(base)s/pha   ; where packages wait
static_zip_file_dir = %(base)s/zips
tombstone_zip_file_dir = %(base)s/tombstones
dspace_tombstone_zip_file_dir = %(base)s/dspace_tombstones

[database]
host = db2.example.edu
port = 3306
dbname = OCWDB
username = ocwuser
password = kept-to-itself-1%

[CMS]
URL = https://editors.example.edu
user = engine
password = kept-to-itself-2
host = cms.example.edu
engine_host = cms2.example.edu
engine_url = http://cms2.example.edu:8080/Plone

[Staging]
url = https://staging.example.edu/
host = origin-staging.example.edu
user = stager
rootdirectory = /var/www/ocw

[Production]
url = https://www.example.edu/
host = origin.example.edu
user = publisher
rootdirectory = /var/www/ocw

[Mirror]
url = https://mirror.example.edu/
host = mirror-origin.example.edu
user = mirrorer
rootdirectory = /data2/prod
mirror_create_snapshot_script = /home/ocwuser/create_new_snapshot.sh
mirror_update_snapshot_script = /home/ocwuser/update_snapshot.sh

[NetStorage]
host = netstorage.example.net
user = sshacs
rootdirectory = /15436/ZipForEndUsers
zipurlprefix = /ans15436/ZipForEndUsers

[DSpace]
retiredcourseziproot = /mnt/RetiredCourseZips
deposit_uri_lookup_file_path = lookup
current_environment = Production_Dspace_conf

[Test_Dspace_conf]
dspace_host_id = dspace-test
port = 8080
user = ocw-test
password = kept-to-itself-3
dspace_endpoint_prefix = http://dspace-test.example.edu/sword/deposit/
deposit_uri_lookup_file_name = DepositURILookup-test.xml

[Production_Dspace_conf]
dspace_host_id = dspace
port = 443
user = ocw
password = kept-to-itself-4
dspace_endpoint_prefix = https://dspace.example.edu/sword/deposit/
deposit_uri_lookup_file_name = DepositURILookup.xml
"""

LOOKUP = """\
<?xml version="1.0"?>
<!-- collections by department -->
<lookup version="1">
  <entry key="6">https://dspace.example.edu/sword/deposit/1721.1/33971</entry>
  <entry key="18">1721.1/33972</entry>
  <map><department>supplemental-resource</department><depositURI>https://dspace.example.edu/sword/deposit/1721.1/5</depositURI></map>
  <deposit code="default" uri="https://dspace.example.edu/sword/deposit/1721.1/39118"/>
</lookup>
"""
