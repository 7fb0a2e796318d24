control 'base-01' do
  impact 1.0
  title 'Accounts are ours'
  desc 'Long words.'
  describe user('root') do
    its('uid') { should eq 0 }
    its('groups') { should include 'root' }
    its('shell') { should_not eq '/bin/false' }
  end
  describe file('/etc/passwd') do
    its('mode') { should cmp '0644' }
    its('owner') { should eq 'root' }
    its('size') { should be > 10 }
  end
end

control 'base-02' do
  describe package('dpkg') do
    its('version') { should cmp >= '1.0' }
  end
  describe kernel_parameter('kernel.ostype-of-nobody') do
    its('value') { should_not eq 0 }
  end
  describe etc_shadow do
    its('users') { should include 'root' }
  end
  only_if { os.linux? }
  describe user('nobody-at-all') do
    it { should exist }
  end
end
